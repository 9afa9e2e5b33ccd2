// Writes a page to a client.
#pragma once

#include <boost/system/error_code.hpp>
#include <functional>

#include "net/websocket/page.h"
#include "net/websocket/stream.h"

namespace ap::net {

/// The head of the answer, up to and with the empty line. The connection is closed behind every answer.
std::string page_head(const Page& page);

/// `done` is called once, on the stream's strand, when all is sent or failed. The stream must live until then.
void async_answer(TlsStream& stream, Page page, std::function<void(boost::system::error_code)> done);

}  // namespace ap::net
