#include "core/gaps.h"

namespace holdfast {

bool TakeGap(Worker& worker, StreamUid uid) {
  StreamLine* line = worker.cache.Find(uid);
  if (line == nullptr || !line->TakeGap(uid, AsksForMarks(worker, *line))) return false;
  if (!KeepsQueue(line->policy())) return true;
  worker.held_back.MarkGap(uid);
  return false;
}

bool TakeMissed(Worker& worker, StreamUid uid) {
  StreamLine* line = worker.cache.Find(uid);
  if (line == nullptr || !line->marks_gaps()) return false;
  if (!KeepsQueue(line->policy())) return line->TakesMark(uid);
  return NoteRefusal(*line, uid) && TakeGap(worker, uid);
}

}  // namespace holdfast
