/** A line of a Zeek conn log as JSON; `origin` is the address that connects. */
export function connLine(i: number, origin?: string): string
/** An address for each number. */
export function address(i: number): string
/** Writes a rule that opens an alert for each connection to port 4444 into a folder. */
export function writeRuleForEach(folder: string): void
