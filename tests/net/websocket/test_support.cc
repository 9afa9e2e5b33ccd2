#include "tests/net/websocket/test_support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace ap::net {

const TlsIdentity& test_identity() {
  static const TlsIdentity identity = make_self_signed("localhost");
  return identity;
}

TlsTrust test_trust() { return TlsTrust::pinned_certificate(certificate_fingerprint(test_identity())); }

std::function<void(const std::string&, const std::string&)> LostClients::listen() {
  return [this](const std::string&, const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    sentences_.push_back(sentence);
    changed_.notify_all();
  };
}

std::vector<std::string> LostClients::wait_for(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(30), [&] { return sentences_.size() >= count; });
  return sentences_;
}

ChannelPair local_pair() {
  auto [a, b] = make_local_channels();
  return {std::move(a), std::move(b)};
}

ChannelPair websocket_pair(const ChannelLimits& limits) {
  ListenerOptions options;
  options.limits = limits;
  Listener listener("127.0.0.1", 0, test_identity(), options);
  ChannelPair pair;
  std::thread client(
      [&] { pair.a = connect(listener.url(), test_trust(), std::chrono::seconds(30), limits); });
  pair.b = listener.accept(std::chrono::seconds(30));
  client.join();
  return pair;
}

Bytes pattern(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
  for (std::size_t i = 0; i < size; i += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(bytes.data() + i, &state, std::min<std::size_t>(8, size - i));
  }
  return bytes;
}

void expect_error(const std::function<void()>& call, ErrorCode code, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "no error, expected one about: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << "the error \"" << error.what() << "\" does not say \"" << part << "\"";
  }
}

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

RawSocket::RawSocket(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

RawSocket::~RawSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawSocket::write(std::string_view bytes) {
  EXPECT_EQ(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

std::string RawSocket::read_all() {
  std::string all(65536, '\0');
  std::size_t at = 0;
  while (at < all.size()) {
    const ssize_t got = ::recv(descriptor_, all.data() + at, all.size() - at, 0);
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
  }
  all.resize(at);
  return all;
}

void RawSocket::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(descriptor_);
  descriptor_ = -1;
}

RawListener::RawListener() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(descriptor_, 8), 0);
  EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
}

RawListener::~RawListener() { ::close(descriptor_); }

std::unique_ptr<RawSocket> RawListener::accept() {
  return std::make_unique<RawSocket>(::accept(descriptor_, nullptr, nullptr), true);
}

RawTlsClient::RawTlsClient(std::uint16_t port, int max_version)
    : socket_(port), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_max_proto_version(context_, max_version);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, socket_.get());
  connected_ = SSL_connect(ssl_) == 1;
}

RawTlsClient::~RawTlsClient() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void RawTlsClient::write(const Bytes& bytes) {
  EXPECT_EQ(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())), static_cast<int>(bytes.size()));
}

Bytes RawTlsClient::read(std::size_t count) {
  Bytes bytes(count);
  std::size_t at = 0;
  while (at < count) {
    const int got = SSL_read(ssl_, bytes.data() + at, static_cast<int>(count - at));
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

std::string RawTlsClient::upgrade() {
  write(
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const Bytes byte = read(1);
    if (byte.empty()) break;
    head.push_back(static_cast<char>(byte[0]));
  }
  return head;
}

Bytes header(MessageType type, std::uint64_t payload_bytes) {
  ByteWriter writer;
  writer.u16(type);
  writer.u64(payload_bytes);
  return writer.take();
}

Bytes masked_frame(std::uint8_t opcode, const Bytes& payload, std::uint64_t announced) {
  const std::uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
  Bytes frame{static_cast<std::uint8_t>(0x80 | opcode)};
  const int length_bytes = announced < 126 ? 0 : announced < 65536 ? 2 : 8;
  const std::uint64_t first = length_bytes == 0 ? announced : length_bytes == 2 ? 126 : 127;
  frame.push_back(static_cast<std::uint8_t>(0x80 | first));
  for (int i = length_bytes - 1; i >= 0; --i)
    frame.push_back(static_cast<std::uint8_t>(announced >> (8 * i)));
  frame.insert(frame.end(), key, key + 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<std::uint8_t>(payload[i] ^ key[i % 4]));
  }
  return frame;
}

}  // namespace ap::net
