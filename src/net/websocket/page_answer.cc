#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic ignored "-Wtsan"  // as in connection.cc
#endif

#include "net/websocket/page_answer.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>

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
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(*head),
                                                     body ? asio::buffer(*body) : asio::const_buffer()};
  asio::async_write(
      stream, buffers,
      [head, body, done = std::move(done)](boost::system::error_code error, std::size_t) { done(error); });
}

}  // namespace ap::net
