// Puts the files of SQLite on the simulated disk of the machine whose program opens them: the ledger of a
// server then loses what was not synced like everything else there.
#pragma once

#include <string>

namespace ap::faults {

/// Makes this the way SQLite reads files in this program. Inside a world every path is one file of the
/// running process's machine, by its last part; outside one nothing can be opened.
void put_sqlite_on_simulated_disks();

/// A path at which the real file system has a private file, as the ledger asks for one before SQLite opens
/// it.
std::string ledger_path();

}  // namespace ap::faults
