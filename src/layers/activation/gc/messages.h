// Message types of the activation protocol: 0x0300..0x03ff of the wire format.
#pragma once

#include <string_view>

#include "mpc/ot/cot.h"

namespace ap::activation {

/// The part of a session's key that garbling hashes under.
inline constexpr std::string_view kGarblingPart = "garbling";

inline constexpr net::MessageType kBaseOtSender = 0x0300;    ///< server -> client, once a session
inline constexpr net::MessageType kBaseOtReceiver = 0x0301;  ///< client -> server, once a session
inline constexpr net::MessageType kCotColumns = 0x0302;      ///< server -> client, offline
inline constexpr net::MessageType kGarbledTables = 0x0303;   ///< client -> server, offline
inline constexpr net::MessageType kInputChoices = 0x0304;    ///< server -> client, online
inline constexpr net::MessageType kInputLabels = 0x0305;     ///< client -> server, online
inline constexpr net::MessageType kCotTrees = 0x0306;        ///< server -> client, once a session
inline constexpr net::MessageType kCotAnswer = 0x0307;       ///< client -> server, once a session
inline constexpr net::MessageType kCotCheck = 0x0308;        ///< server -> client, offline

/// Message types of the oblivious transfers that give the server its input labels.
inline constexpr mpc::CotMessages kLabelTransfers{
    {kBaseOtSender, kBaseOtReceiver}, kCotTrees, kCotColumns, kCotAnswer, kCotCheck};

}  // namespace ap::activation
