// Telling a stream that messages for it were refused, so that its application can say so in their
// place. What a release of the stream does not tell by itself (core/stream_line.h), the owner hears
// of by mail: in the order of the sender's own messages, and at most one mail at a time.
#pragma once

#include "core/registry.h"

namespace holdfast {

// A message was refused. True when the caller is to post MessageOp::kGap. Threads: any.
inline bool NoteRefusal(StreamLine& line, StreamUid uid) {
  return line.marks_gaps() && line.MarkGap(uid);
}

// Whether the mark of a gap is asked for by mail, and the stream's gap bit stands until it is
// there: on a reactor, where a Node thread has to make it. Where a queue is kept, that stands
// instead.
inline bool AsksForMarks(const Worker& owner, const StreamLine& line) {
  return owner.kind() == WorkerKind::kReactor && !KeepsQueue(line.policy());
}

// The owner hears of it, or refused one itself. True when Carrier::Gap is to be called now; else
// the stream is told behind what waits, by a release or by HeldBack::Pump.
bool TakeGap(Worker& worker, StreamUid uid);

// The owner hears of messages that were refused where nobody noted it on the stream. The same
// answer, but where the carrier has all that waits, the mark can stand behind that at once: nothing
// has to be refused for its sake.
bool TakeMissed(Worker& worker, StreamUid uid);

}  // namespace holdfast
