// autoprivacy: the program of servers, clients and owners of networks.
#include "cli/run.h"

int main(int argc, char** argv) { return ap::cli::run(argc, argv, {}); }
