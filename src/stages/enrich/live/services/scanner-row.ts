import type { JsonObject } from '../../../../model/json.ts'
import { rowOfResponse } from '../../formats/greynoise.ts'

/**
 * The row for an address that GreyNoise's sensors have seen. One that only belongs to a known service gets none: rules take the presence of a
 * row for a finding.
 */
export function scannerRow(answer: JsonObject): JsonObject | undefined {
  const row = rowOfResponse(answer, 'ip')
  return row?.['noise'] === true ? row : undefined
}
