// How the public interface's clients reach their servers.
#pragma once

#include <autoprivacy/client.h>

#include <string>

#include "app/connect.h"

namespace ap::app {

ConnectOptions connect_options(std::string url, const autoprivacy::ConnectOptions& options);

}  // namespace ap::app
