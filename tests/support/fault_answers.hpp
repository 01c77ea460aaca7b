#pragma once

#include <string>

#include "support/fault_server.hpp"

namespace tuile::test {

/// Whether the fault needs the good answer (and so the handler).
bool spoils_good_answer(Fault fault) noexcept;

/// The answer of the faults that are sound HTTP: all but those of the transport (silence, slow, reset, truncated, broken_chunks, garbage,
/// huge, gone).
ServerAnswer faulty_answer(Fault fault, ServerAnswer good, const ServerRequest& request, const FaultSettings& settings);

/// Status line and headers. A length of npos leaves Content-Length out.
std::string head_text(const ServerAnswer& answer, std::size_t length);

/// The text of a query with its percent-encoding and pluses undone.
std::string url_decode(const std::string& text);

/// Adds the `name=value` pairs of a query or a form.
void add_query(const std::string& text, std::map<std::string, std::string>& query);

std::string lower_case(std::string text);

}  // namespace tuile::test
