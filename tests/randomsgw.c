/* randomsgw.c - randomsgw SEED OUT.sgw [3] writes a small network with random options, a StyleGAN 3 if asked to. */
#include "../tools/base/cli.h"
#include "../tools/model/random_network.h"

int main(int argc, char **argv) {
    weights network = {0};
    if (argc != 3 && argc != 4) cli_usage("randomsgw SEED OUT.sgw [3]");
    uint64_t seed = (uint64_t)cli_integer("SEED", argv[1], 0, INT64_MAX);
    (argc == 4 ? random_network3 : random_network)(seed, &network);
    weights_save(&network, argv[2], STYLEGAN_F32);
    random_network_free(&network);
    return CLI_EXIT_OK;
}
