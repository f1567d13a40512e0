/** A mail host over a long time, with a fault each minute, and what can be seen of it as a picture. */
import { readFileSync } from 'node:fs';
import { type FaultWorld, openFiles, sleep } from './fault-world.ts';
import type { Fault } from './faults.ts';
import type { Post } from './post.ts';

/** One look at the process, and at the sessions since the look before. */
interface Look {
  readonly second: number;
  /** PSS, in MiB. */
  readonly memory: number;
  readonly descriptors: number;
  /** Milliseconds. */
  readonly p99: number;
}

const LOOK_MS = 5000;
const MINUTE_MS = 60_000;
const FAULT_MS = 5000;

export async function soak(
  world: FaultWorld,
  posts: readonly Post[],
  faults: readonly Fault[],
  minutes: number,
): Promise<{ readonly text: string; readonly picture: string }> {
  const began = Date.now();
  const caused: string[] = [];
  const looks: Look[] = [];
  for (const post of posts) post.begin(3);
  const state = { over: false };
  const watching = (async () => {
    while (!state.over) {
      await sleep(LOOK_MS);
      const pid = world.program().child.pid ?? 0;
      const times = posts.flatMap((post) => [...post.recent()]).sort((a, b) => a - b);
      looks.push({
        second: (Date.now() - began) / 1000,
        memory: memoryOf(pid),
        descriptors: openFiles(pid),
        p99: times[Math.floor(times.length * 0.99)] ?? 0,
      });
    }
  })();
  for (let minute = 0; minute < minutes; minute++) {
    const fault = faults[Math.floor(Math.random() * faults.length)];
    await sleep(20_000);
    if (fault !== undefined) {
      caused.push(fault.title);
      await fault.cause(world, FAULT_MS);
      await world.ready();
    }
    await sleep(Math.max(0, began + (minute + 1) * MINUTE_MS - Date.now()));
  }
  const seconds = (Date.now() - began) / 1000;
  for (const post of posts) await post.end();
  state.over = true;
  await watching;
  const lines = posts.map(
    ({ account: { sent, delivered, deferred, refused, p99, slowest } }, i) =>
      `${world.mtas[i]?.name ?? ''}: ${sent} sent (${(sent / seconds).toFixed(1)} a second) = ${delivered} delivered + ` +
      `${deferred} deferred, and delivered or refused later + ${refused} refused by policy; p99 ${p99} ms, slowest ${slowest} ms.`,
  );
  const when = new Date(began).toISOString().slice(0, 10);
  const kinds = [...new Set(caused)].map((title) => {
    const times = caused.filter((each) => each === title).length;
    return `- ${title}${times > 1 ? ` (${times} times)` : ''}`;
  });
  const text = [
    `${when}, ${minutes} minutes, ${world.starts()} starts of the process, ${caused.length} faults, chosen at random:`,
    kinds.join('\n'),
    ...lines,
    '![memory, descriptors and latency over the time](pictures/soak.svg)',
  ].join('\n\n');
  return { text, picture: pictureOf(looks, minutes) };
}

function memoryOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    // It is being started again.
    return 0;
  }
}

/** Three curves, one above the other, each with its greatest value. */
function pictureOf(looks: readonly Look[], minutes: number): string {
  const [width, height, left] = [720, 110, 60];
  const curves = [
    { title: 'memory (PSS), MiB', of: (look: Look) => look.memory },
    { title: 'descriptors', of: (look: Look) => look.descriptors },
    { title: 'p99 of a session, ms', of: (look: Look) => look.p99 },
  ];
  const parts = curves.flatMap(({ title, of }, i) => {
    const top = 30 + i * (height + 40);
    const most = Math.max(1, ...looks.map(of));
    const points = looks.map((look) => {
      const x = left + (look.second / (minutes * 60)) * width;
      return `${x.toFixed(1)},${(top + height - (of(look) / most) * height).toFixed(1)}`;
    });
    return [
      `<text x="${left}" y="${top - 8}">${title}</text>`,
      `<text x="4" y="${top + 10}">${most.toFixed(0)}</text><text x="4" y="${top + height}">0</text>`,
      `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" stroke="#999"/>`,
      `<polyline points="${points.join(' ')}" fill="none" stroke="#06c"/>`,
    ];
  });
  const bottom = 30 + curves.length * (height + 40);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 20} ${bottom}" font-family="sans-serif" font-size="13">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...parts,
    `<text x="${left}" y="${bottom - 6}">0 to ${minutes} minutes</text>`,
    '</svg>',
    '',
  ].join('\n');
}
