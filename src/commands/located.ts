import type { ConfigSource } from '../config/source.ts';

/** Adds to a mistake in the value of an option the place where the value was given. */
export async function located<T>(source: ConfigSource, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw source.locate(error);
  }
}
