/** Addresses of lists of candidates, in the grammar of `filters`. */

/** A column and what is asked of it; a column may be asked for more than once. */
export type Condition = [column: string, value: string | number];

/** The address of the list of candidates that meet all conditions; empty texts count, too. */
export function listOf(conditions: Condition[]): string {
  const pairs = conditions.map(([column, value]) => [column, String(value)]);
  const query = new URLSearchParams(pairs).toString();
  return query ? `#clips?${query}` : "#clips";
}
