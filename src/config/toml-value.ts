/** Values as TOML writes them. */
import { stringify } from 'smol-toml';

/** A number if it is written as TOML writes numbers, else text in quotes. */
export function tomlScalar(text: string): string {
  if (/^\d+(?:\.\d+)?$/.test(text) && String(Number(text)) === text) return text;
  return stringify({ text }).trimEnd().slice('text = '.length);
}
