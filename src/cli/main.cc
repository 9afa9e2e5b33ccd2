// autoprivacy: the program of servers, clients and owners of networks.
#include "base/freed_memory.h"
#include "cli/companion.h"
#include "cli/run.h"

int main(int argc, char** argv) {
  ap::keep_freed_memory();
  ap::cli::Extensions extensions;
  extensions.commands.push_back([](CLI::App& app, ap::cli::Action& action) {
    ap::cli::add_handed_over(app, action, "train", "Train a network, or tune one for private inference");
  });
  return ap::cli::run(argc, argv, extensions);
}
