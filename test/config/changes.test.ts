import { describe, expect, it } from 'vitest';
import { changes } from '../../src/config/changes.ts';
import { readConfig } from '../../src/config/config.ts';

const config = (texts: Readonly<Record<string, string[]>>): ReturnType<typeof readConfig> =>
  readConfig(new Map(Object.entries(texts)));

describe('changes', () => {
  it('tells what is new from what must wait', () => {
    const before = config({ trust: ['192.0.2.0/24'], listen: ['inet:127.0.0.1:1'] });
    const after = config({
      trust: ['192.0.2.0/25'],
      listen: ['unix:/s'],
      socketMode: ['0600'],
      observe: [''],
    });
    const { config: next, changed, waiting } = changes(before, after);
    expect(changed).toEqual(['observe', 'trust']);
    expect(waiting).toEqual(['listen', 'socket-mode']);
    expect(next).toEqual({ ...after, listen: before.listen, socketMode: before.socketMode });
    expect(Object.isFrozen(next)).toBe(true);
  });

  it('sees no change in the same again', () => {
    const texts = { trust: ['192.0.2.0/24'], weight: ['helo-mismatch=5'], tempfailLimit: ['3/1h'] };
    expect(changes(config(texts), config(texts))).toMatchObject({ changed: [], waiting: [] });
  });
});
