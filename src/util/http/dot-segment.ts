/** Whether a path has a part `.` or `..`: URLs resolve these, so a request would be for something else. */
export function hasDotSegment(path: string): boolean {
  return /(?:^|\/)\.{1,2}(?:\/|$)/.test(path)
}
