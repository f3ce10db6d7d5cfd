/* randomsgw.c - randomsgw SEED OUT.sgw writes a small network with random options. */
#include "../tools/base/cli.h"
#include "../tools/model/random_network.h"

int main(int argc, char **argv) {
    weights network = {0};
    if (argc != 3) cli_usage("randomsgw SEED OUT.sgw");
    random_network((uint64_t)cli_integer("SEED", argv[1], 0, INT64_MAX), &network);
    weights_save(&network, argv[2], STYLEGAN_F32);
    random_network_free(&network);
    return CLI_EXIT_OK;
}
