#pragma once

#include <new>
#include <string>

#include "imagery/imagery.hpp"

namespace tuile::imagery {

/// One of a tile's two images: what get() returns, or the outcome failed with its reason. Cancelled and OutOfMemory pass.
template <class Get>
void get_part(Colours& colours, Raster Colours::*part, Outcome Colours::*outcome, const char* title, Get&& get) {
  try {
    colours.*part = get();
    colours.*outcome = Outcome::data;
  } catch (const Cancelled&) {
    throw;
  } catch (const OutOfMemory&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(std::string("no memory for the ") + title + " image of a tile; lower memory.budget or the number of workers");
  } catch (const Error& error) {
    colours.*outcome = Outcome::failed;
    // Where both failed, another try can help if it can help one.
    if (colours.reason.empty() || error.can_pass()) colours.kind = error.kind();
    if (!colours.reason.empty()) colours.reason += "; ";
    colours.reason += std::string(title) + ": " + error.what();
  }
}

}  // namespace tuile::imagery
