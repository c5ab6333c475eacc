// Runs the trials, each in a process of its own; see bench/README.md.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machineFacts } from './lib/machine.mjs'
import { runTrial } from './lib/run-trial.mjs'
import { printTable } from './lib/table.mjs'
import { trials } from './trials.mjs'

const usage = `Usage: npm run bench -- [--json] [--smoke] [trial...]

  --json     one line of JSON a trial, instead of tables
  --smoke    about a second each: shows that the trials do their work, not how fast
  -h, --help

Trials (default: all):
${trials.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join('\n')}

Ends with 1 if a trial failed or its counts did not add up; its figures are then not shown.
`

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    return fail(`${error.message}\n\n${usage}`)
  }
}

const { values: options, positionals: names } = readArguments()
if (options.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const unknown = names.find((name) => !trials.some((trial) => trial.name === name))
if (unknown !== undefined) fail(`no trial is called ${unknown}\n\n${usage}`)
if (!existsSync(new URL('../dist/index.js', import.meta.url))) {
  fail('Build first: npm run build:native && npm run build')
}

const machine = machineFacts()
if (!options.json) {
  process.stdout.write(
    `${Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join(', ')}\n`,
  )
}
let failed = 0
for (const trial of trials.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const outcome = await runTrial(trial, options.smoke)
  if (!outcome.leftOut && !outcome.verified) failed++
  if (options.json) {
    const line = { trial: trial.name, smoke: options.smoke, ...machine, ...outcome }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  } else {
    printTable(trial, outcome, options.smoke)
  }
}
process.exit(failed === 0 ? 0 : 1)
