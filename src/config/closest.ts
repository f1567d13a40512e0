/** The word that somebody may have meant. */

/** `; did you mean reject-at?` for a word that is nearly one of the known ones, else an empty text. */
export function closest(word: string, known: readonly string[]): string {
  const wanted = plain(word);
  let best: string | null = null;
  // A word further away than this is a different word.
  let least = Math.min(wanted.length > 6 ? 4 : 3, wanted.length);
  for (const each of known) {
    const distance = editDistance(wanted, plain(each));
    if (distance >= least) continue;
    least = distance;
    best = each;
  }
  return best === null ? '' : `; did you mean ${best}?`;
}

/** `rejectAt`, `reject_at` and `--reject-at` are the same. */
function plain(word: string): string {
  return word
    .slice(0, 100)
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .replace(/^-+/, '')
    .toLowerCase();
}

/** Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? i) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
