// A vitest reporter that writes what ran, as JSON, to the file named by HOLDFAST_VITEST_REPORT:
// `passed`, and lists of `failures` and `omissions`. A failure is a test, a hook or file that could not
// run, or an error that belongs to no test.
import { writeFileSync } from 'node:fs'

export default class CountingReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const report = { passed: 0, failures: [], omissions: [] }
    for (const module of modules) count(module, report)
    for (const error of unhandledErrors) {
      report.failures.push({ name: 'an error outside of all tests', message: textOf([error]) })
    }
    writeFileSync(process.env.HOLDFAST_VITEST_REPORT, JSON.stringify(report))
  }
}

function count(module, report) {
  const file = module.relativeModuleId
  const { failures, omissions } = report
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result()
    const name = `${file}: ${test.fullName}`
    if (state === 'passed') report.passed++
    else if (state === 'failed') failures.push({ name, message: textOf(errors) })
    else omissions.push(`${name} (${state})`)
  }
  for (const suite of module.children.allSuites()) {
    const errors = suite.errors()
    if (errors.length > 0) {
      failures.push({ name: `${file}: ${suite.fullName}`, message: textOf(errors) })
    }
  }
  const errors = module.errors()
  if (errors.length > 0) failures.push({ name: file, message: textOf(errors) })
}

/** With the places in files of ours: which of several assertions it was. */
function textOf(errors) {
  return errors
    .map(({ name, message, stack = '' }) => {
      const at = stack
        .split('\n')
        .filter((line) => /^\s+at /.test(line) && !/node_modules/.test(line))
      return [message ?? name, ...at].join('\n')
    })
    .join('\n')
}
