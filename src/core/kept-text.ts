/**
 * A stranger's text that is going to be kept. It is cut, and it is a copy of its own: V8 makes a part of a
 * string a reference to the whole, so a name of twenty octets would keep in memory the 64 KiB answer it came
 * from.
 */

/** V8 copies shorter parts anyway. */
const SHORT = 13;

/** At most `most` characters, the last three of them `...` where something was cut off. */
export function keptText(text: string, most: number): string {
  const kept = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  // Text decoded anew shares nothing with what it was made from.
  return kept.length < SHORT ? kept : (JSON.parse(JSON.stringify(kept)) as string);
}
