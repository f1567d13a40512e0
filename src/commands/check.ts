/** `helo-milter check IP HELO`: explains one pair, for a person or as JSON. */
import type { Config } from '../config/config.ts';
import { resolverOf } from '../service/resolver.ts';
import { explain, type Explanation } from './explanation.ts';
import { explanationText } from './explanation-text.ts';
import { makePaint } from './paint.ts';

interface Asked {
  readonly ip: string;
  readonly helo: string;
  readonly config: Config;
}

/** Asks the resolver that the flags name. Throws UsageError if `ip` is not an address. */
export async function check(
  { ip, helo, config }: Asked,
  { json, colour }: { readonly json: boolean; readonly colour: boolean },
): Promise<string> {
  const explanation = await explain(ip, helo, config, await resolverOf(config));
  return json
    ? `${JSON.stringify(checkReport(explanation), null, 2)}\n`
    : explanationText(explanation, makePaint(colour));
}

/** The object that `--json` prints. */
function checkReport({ assessment, remarks, verdict, policy, presets, reply }: Explanation): object {
  const { client, correspondence, undecided, trouble, dns } = assessment;
  return {
    version: 1,
    client: { ip: client.ip?.text ?? null, family: client.ip?.family ?? null },
    helo: client.helo.text,
    correspondence,
    undecided,
    trouble,
    stream: verdict.stream,
    findings: verdict.counted.map(({ finding: { id, evidence, provisional = false } }) => ({
      id,
      basis: policy.findings.get(id)?.basis,
      provisional,
      evidence,
    })),
    verdicts: Object.fromEntries(
      [...presets].map(([preset, each]) => [
        preset,
        {
          disposition: each.disposition,
          score: each.score,
          reply: reply(each),
          cause: each.cause?.id ?? null,
        },
      ]),
    ),
    dns,
    remarks,
  };
}
