/** Curves of long stretches with fewer points, none of whose peaks are lost. */

type Values = (number | null)[];

/** Places and values of `values`, at most about `most` of them: the least and the most value of
 * every bin, in their order, and null for a bin in which nothing was measured. */
export function thin(values: Values, most: number): [number, number | null][] {
  if (values.length <= most) return values.map((value, place) => [place, value]);
  const found: [number, number | null][] = [];
  const size = Math.ceil((2 * values.length) / most);
  for (let start = 0; start < values.length; start += size) {
    let low = -1;
    let high = -1;
    for (let place = start; place < Math.min(start + size, values.length); place++) {
      const value = values[place];
      if (value === null) continue;
      if (low < 0 || value < values[low]!) low = place;
      if (high < 0 || value > values[high]!) high = place;
    }
    if (low < 0) found.push([start, null]);
    else
      for (const place of new Set([Math.min(low, high), Math.max(low, high)]))
        found.push([place, values[place]]);
  }
  return found;
}

/** Least and most of all values, a little apart where they are one; 0 and 1 without any. */
export function spread(curves: (Values | null)[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const values of curves) {
    for (const value of values ?? []) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
