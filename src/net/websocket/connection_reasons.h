// What the errors of Asio, OpenSSL and Beast mean to a person. Sentences without a full stop, so that
// "while we ..." can follow.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>

#include "net/websocket/connection_end.h"

namespace ap::net {

std::string no_server(const std::string& peer, const boost::system::error_code& error);

/// `verify_result` is OpenSSL's verdict on the server's certificate (X509_V_OK on the server's side).
ConnectionEnd handshake_failure(const std::string& peer, const boost::system::error_code& error,
                                long verify_result);

std::string wrong_certificate(const std::string& peer);

/// What a client says whose credentials the server does not know; `showed_any`: it had some.
std::string not_admitted(const std::string& peer, bool showed_any);

/// The reason why an open connection gave this error. `frame_limit`: the most bytes that a frame may have.
std::string end_of_connection(const std::string& peer, const boost::system::error_code& error,
                              std::size_t frame_limit);

}  // namespace ap::net
