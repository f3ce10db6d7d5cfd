# What find_package(stylegan) reads, in PREFIX/share/cmake/stylegan: the target stylegan::stylegan.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
if(NOT TARGET stylegan::stylegan)
  get_filename_component(stylegan_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  add_library(stylegan::stylegan INTERFACE IMPORTED)
  target_include_directories(stylegan::stylegan INTERFACE "${stylegan_prefix}/include")
  target_link_libraries(stylegan::stylegan INTERFACE Threads::Threads $<$<BOOL:${UNIX}>:m>)
endif()
