// The sessions of one thread, behind its poller: each socket's readiness finds its session, what
// reading it brought about is flushed at once and all else once a turn, and what has ended is let
// go.
//
// Threads: one.
#pragma once

#include <memory>
#include <vector>

#include "core/port_context.h"
#include "h2/session.h"
#include "reactor/poller.h"

namespace holdfast {

class H2SessionTable {
 public:
  H2SessionTable(H2Context& context, Poller& poller) : context_(context), poller_(poller) {}
  H2SessionTable(const H2SessionTable&) = delete;
  H2SessionTable& operator=(const H2SessionTable&) = delete;

  size_t size() const { return size_; }

  // At the beginning of a turn, before anything else. Goes on with what the last one did not read.
  void BeginTurn();
  // Takes a non-blocking connection of the port, nullptr: of one without TLS. False, and it is
  // closed, when there is no memory for it.
  [[nodiscard]] bool Adopt(int fd, const std::shared_ptr<const PortContext>& port = nullptr);
  // A kSocket event. One that is meant for a session long gone is ignored.
  void OnSocket(const PollEvent& event);
  // Writes what the turn had to say. In how many milliseconds the next turn is due, though nothing
  // happens; -1: never.
  int EndTurn();

  // Lets what is under way end; nothing new is taken.
  void Shutdown();

 private:
  // A session's time-outs are looked at once a round of all slices: late by that, and cheap.
  static constexpr uint64_t kSliceMs = 250;
  static constexpr uint32_t kSlices = 8;

  struct Place {
    std::unique_ptr<H2Session> session;
    uint32_t generation = 0;
    bool reads_on = false;  // listed in readable_
  };

  void Release(H2Session& session);
  void ReleaseIfFinished(H2Session& session);
  void ReadOn();
  void CheckSlice();
  bool ShedLargest();

  H2Context& context_;
  Poller& poller_;
  std::vector<Place> places_;
  std::vector<uint32_t> free_;
  // Those that were not read to the end.
  std::vector<uint64_t> readable_;
  size_t size_ = 0;
  uint32_t slice_ = 0;
  uint64_t next_slice_ms_ = 0;
};

}  // namespace holdfast
