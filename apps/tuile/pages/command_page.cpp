#include <algorithm>

#include "pages/pages.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::app::pages {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t at = text.find(separator); at != std::string::npos; at = text.find(separator, start)) {
    parts.push_back(text.substr(start, at - start));
    start = at + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

bool is_word(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

Offer offer_of(std::string value) {
  Offer offer;
  const std::string list_mark = ",...";
  if (value.size() > list_mark.size() && value.compare(value.size() - list_mark.size(), list_mark.size(), list_mark) == 0) {
    offer.list = true;
    value.resize(value.size() - list_mark.size());
  }
  for (const std::string& part : split(value, '|')) {
    if (part == "FILE" || part == "INPUT") {
      offer.files = true;
    } else if (part == "DIR") {
      offer.folders = true;
    } else if (part == "KEY=VALUE") {
      offer.settings = true;
    } else if (part == "FEATURE") {
      const std::vector<std::string> names = features::set_columns("full");
      offer.words.insert(offer.words.end(), names.begin(), names.end());
    } else if (is_word(part)) {
      offer.words.push_back(part);
    }
  }
  return offer;
}

OptionPage page_of(const CLI::Option& option) {
  OptionPage page;
  for (const std::string& name : option.get_snames()) page.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) page.names.push_back("--" + name);
  page.help = option.get_description();
  page.required = option.get_required();
  if (option.get_items_expected_max() > 0) {
    page.value = option.get_type_name();
    page.repeatable = option.get_items_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    page.offer = offer_of(page.value);
  }
  return page;
}

}  // namespace

CommandPage page_of(const CLI::App& app) {
  CommandPage page;
  for (const CLI::App* at = &app; at->get_parent() != nullptr; at = at->get_parent()) {
    page.path = at->get_name() + (page.path.empty() ? "" : " " + page.path);
  }
  page.help = app.get_description();
  page.footer = app.get_footer();
  for (const CLI::App* at = &app; at != nullptr; at = at->get_fallthrough() ? at->get_parent() : nullptr) {
    for (const CLI::Option* option : at->get_options()) {
      if (at != &app && option->check_name("--help")) continue;
      (option->get_positional() ? page.arguments : page.options).push_back(page_of(*option));
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) page.commands.push_back(page_of(*command));
  return page;
}

std::vector<const CommandPage*> all_of(const CommandPage& page) {
  std::vector<const CommandPage*> all{&page};
  for (const CommandPage& command : page.commands) {
    const std::vector<const CommandPage*> below = all_of(command);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

}  // namespace tuile::app::pages
