#include "tests/faults/documented_errors.h"

namespace ap::faults {

const std::vector<DocumentedError>& documented_errors() {
  using enum ErrorCode;
  static const std::vector<DocumentedError> all = {
      {peer, "closed the connection", "session", false},
      {peer, "broke off the connection", "session", false},
      {peer, "sent nothing for", "session", false},
      {peer, "was already closed on this side", "session", false},
      {peer, "this session has ended with an error", "session", false},
      {peer, "has prepared all", "number of inferences", false},
      {peer, "cannot count inferences now", "number of inferences", true},
      {peer, "keeps as many prepared inferences of this client", "store at the server", false},
      {peer, "the server's store is full", "store at the server", false},
      {peer, "cannot write to its store", "store at the server", true},
      {input, "is full; use some of its inferences first", "stored inferences", false},
      {input, "cannot lock the store", "stored inferences", true},
      {input, "cannot read", "stored inferences", true},
      {input, "cannot write", "stored inferences", true},
      {input, "cannot sync", "stored inferences", true},
      {input, "cannot create", "stored inferences", true},
      {input, "cannot rename", "stored inferences", true},
      {input, "cannot open", "stored inferences", true},
      {input, "cannot store an inference", "stored inferences", true},
      {input, "cannot claim an inference", "stored inferences", true},
      {input, "is damaged", "stored inferences", true},
      {input, "is too short for a stored inference", "stored inferences", true},
      {input, "is no stored inference", "stored inferences", true},
      {input, "the ledger", "ledger", true},
  };
  return all;
}

std::string why_not_documented(ErrorCode code, const std::string& sentence, const Permitted& permitted) {
  for (const DocumentedError& error : documented_errors()) {
    if (error.code != code || sentence.find(error.words) == std::string::npos) continue;
    // A changed message may say of the peer's disk what is not so.
    const bool told = code == ErrorCode::peer && permitted.changed_messages;
    if (error.needs_failing_disk && !permitted.failed_disk && !told) return "though no disk has failed";
    return {};
  }
  if (permitted.changed_messages && code == ErrorCode::peer) return {};
  return "which docs/errors.md does not know";
}

}  // namespace ap::faults
