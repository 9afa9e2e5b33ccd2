#include "he_only/package/package.h"

#include <algorithm>

#include "base/error.h"
#include "crypto/sha256.h"
#include "he_only/package/graph_bytes.h"
#include "he_only/package/public_json.h"
#include "package/body.h"
#include "package/envelope.h"
#include "security/limits.h"

namespace ap::he_only {

namespace envelope = ap::package;

double require_secure(const Public& shared) {
  const std::uint32_t n = shared.program.contexts.front().n;
  const double bits = security::lambda_bits(n, shared.program.log2_qp());
  if (bits < security::kTargetBits) {
    fail_security(
        "the package asks for keys of degree {} and a modulus of {:.0f} bits, which have {:.1f} bits of security, not {}",
        n, shared.program.log2_qp(), bits, security::kTargetBits);
  }
  return bits;
}

package::Pair make_packages(const Public& shared, const nn::Graph& graph, const Choices& choices) {
  const std::string text = to_json(shared).dump();
  package::Pair pair;
  pair.id = crypto::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  ByteWriter body;
  body.string(text);
  pair.client = envelope::file_of(Party::client, envelope::Kind::he, body.bytes());
  write_graph(graph, body);
  write_choices(choices, body);
  pair.server = envelope::file_of(Party::server, envelope::Kind::he, body.bytes());
  return pair;
}

Package parse(ByteView file, const std::string& name) {
  const auto [role, kind, body_size, packed] = envelope::open_envelope(file, name);
  if (kind != envelope::Kind::he)
    fail_input("{} is no package of a network for homomorphic encryption alone", name);
  envelope::BodyReader body(packed, body_size, name);
  const std::uint32_t length = body.u32();
  if (length > envelope::kMaxPublic) {
    fail_input("{} holds a public part of {} bytes, more than the {} allowed", name, length,
               envelope::kMaxPublic);
  }
  const Bytes json = body.take(length);
  Package result;
  result.role = role;
  result.id = crypto::sha256(json);
  {
    const std::string what = "package " + name;
    const nlohmann::json tree = parse_json(json, what, {.max_bytes = envelope::kMaxPublic});
    result.shared = public_from(JsonReader(tree, what));
  }
  if (role == Party::client) {
    body.expect_end();
    return result;
  }
  auto secret = std::make_shared<Package::Private>();
  {
    const Bytes rest = body.take(body.remaining());
    body.expect_end();
    ByteReader in(rest, "package " + name);
    secret->graph = read_graph(in, name);
    secret->structure = std::make_unique<const Structure>(secret->graph);
    secret->choices = read_choices(in, secret->structure->steps().size(), name);
    in.expect_end();
  }
  const std::uint32_t n = result.shared.program.contexts.front().n;
  secret->shaped = shape(*secret->structure, n / 2);
  secret->program = make_program(*secret->structure, secret->shaped, secret->choices);
  // What the client makes keys for is what the server computes with.
  Public again = result.shared;
  again.program = secret->program;
  again.ring = secret->choices.ring;
  again.ends = ends_of(secret->shaped, secret->program);
  if (to_json(again) != to_json(result.shared)) {
    fail_input(
        "{} says other keys than its network needs: it was made by another version; compile the network again",
        name);
  }
  result.secret = std::move(secret);
  return result;
}

Package load(const std::filesystem::path& path, const package::PublicKey* publisher) {
  return parse(envelope::read_package_file(path, publisher), path.string());
}

Package load(const std::filesystem::path& path, Party role, const package::PublicKey* publisher) {
  Package result = he_only::load(path, publisher);
  if (result.role != role) {
    fail_input("{} is the {} package; give the {} one here", path.string(),
               result.role == Party::client ? "client's" : "server's",
               role == Party::client ? "client's" : "server's");
  }
  return result;
}

}  // namespace ap::he_only
