#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic ignored "-Wtsan"  // as in connection.cc
#endif

#include "net/websocket/page_answer.h"

#include <fmt/format.h>

#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <vector>

namespace ap::net {

std::string page_head(const Page& page) {
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(page.status));
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", page.status, std::string_view(reason.data(), reason.size()));
  for (const auto& [name, value] : page.headers) head += fmt::format("{}: {}\r\n", name, value);
  // An answer of status 304 has no body and says nothing about one (RFC 9110, section 15.4.5).
  if (page.status != 304) head += fmt::format("Content-Length: {}\r\n", page.body ? page.body->size() : 0);
  return head + "Connection: close\r\n\r\n";
}

void async_answer(TlsStream& stream, Page page, std::function<void(boost::system::error_code)> done) {
  namespace asio = boost::asio;
  const auto head = std::make_shared<const std::string>(page_head(page));
  const auto body = page.only_head ? nullptr : page.body;
  // Not an array: of one whose first buffer has gone out, Asio offers an empty buffer and the second one, and Beast's stream
  // takes "0 bytes written" of it, the end, if the second one is longer than what it copies (16 KiB).
  std::vector<asio::const_buffer> buffers = {asio::buffer(*head)};
  if (body) buffers.push_back(asio::buffer(*body));
  asio::async_write(
      stream, buffers,
      [head, body, done = std::move(done)](boost::system::error_code error, std::size_t) { done(error); });
}

}  // namespace ap::net
