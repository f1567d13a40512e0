/**
 * How much like a legitimate sender somebody looks, from what was recorded: 0 to 100 points, of signs that
 * are told beside it. docs/report.md has the same table. It only sorts; nothing is decided by it.
 */
import { count } from './figures.ts';
import type { HitSender } from './hit-sender.ts';

export interface LikenessSign {
  readonly id: keyof typeof SIGNS;
  readonly points: number;
  /** What was seen, without a stranger's text. */
  readonly text: string;
}

/** The most that each sign gives; what speaks against a sender is below zero. */
export const SIGNS = {
  proved: 40,
  reverse: 20,
  days: 20,
  accepted: 15,
  authenticated: 15,
  permitted: 10,
  denied: -30,
} as const;

/** Messages that must have been accepted for all points. */
const SEVERAL = 3;
const POINTS_A_DAY = 2;

export function signsOf(sender: HitSender): readonly LikenessSign[] {
  const { hits, authenticated } = sender;
  const { history, accepted, aborted } = sender.past;
  const share = (id: 'proved' | 'reverse' | 'permitted' | 'denied', text: string): LikenessSign[] =>
    sender[id] === 0
      ? []
      : [
          {
            id,
            points: sender[id] * 2 >= hits.decisions ? SIGNS[id] : 0,
            text: `${text} (${sender[id]} of ${hits.decisions})`,
          },
        ];
  const proved = share('proved', 'client and name were shown to belong together');
  const reverse = share('reverse', 'the client has a verified reverse name');
  const isMostlyAccepted = accepted >= SEVERAL && accepted >= aborted;
  return [
    ...proved,
    // The greater includes the lesser.
    ...(proved.some(({ points }) => points > 0) ? reverse.map((each) => ({ ...each, points: 0 })) : reverse),
    {
      id: 'days',
      points: Math.min(SIGNS.days, (history.days - 1) * POINTS_A_DAY),
      text: `seen on ${count(history.days, 'day')}, in ${count(history.decisions, 'decision')}`,
    },
    ...(accepted + aborted === 0
      ? []
      : [
          {
            id: 'accepted' as const,
            points: accepted === 0 ? 0 : isMostlyAccepted ? SIGNS.accepted : SIGNS.accepted / SEVERAL,
            text: `${accepted} accepted to the end, ${aborted} given up or refused by others`,
          },
        ]),
    ...(authenticated === 0
      ? []
      : [
          {
            id: 'authenticated' as const,
            points: SIGNS.authenticated,
            text: `${count(authenticated, 'decision')} on clients of its network that had logged in`,
          },
        ]),
    ...share('permitted', 'the owner of the name permits the client'),
    ...share('denied', 'the owner of the name says that the client may not use it'),
  ];
}

export function pointsOf(sender: HitSender): number {
  const sum = signsOf(sender).reduce((points, each) => points + each.points, 0);
  return Math.max(0, Math.min(100, sum));
}
