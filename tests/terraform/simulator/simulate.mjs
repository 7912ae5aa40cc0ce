// One simulation a line in, one decision a line out: Allowed, ImplicitlyDenied or ExplicitlyDenied.

import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  const outcome = await runSimulation(JSON.parse(line), {})
  // A key that the action does not have would be left out of the evaluation, and a test would say nothing.
  const ignored = outcome.result?.ignoredContextKeys ?? []
  const error = outcome.errors ?? (ignored.length ? { ignored } : undefined)
  console.log(JSON.stringify(error ? { error } : { decision: outcome.overallResult }))
}
