/** Prints a trial's outcome for people. */
export function printTable(trial, outcome, smoke) {
  const lines = [`\n${trial.name}: ${trial.what}`]
  if (outcome.leftOut) {
    lines.push(`  left out: ${outcome.leftOut}`)
  } else if (outcome.error) {
    lines.push(`  failed: ${outcome.error}`)
  } else if (!outcome.verified) {
    lines.push(`  not verified: ${outcome.failed.length} of ${outcome.checks} checks failed`)
    for (const { name, expected, actual } of outcome.failed) {
      lines.push(`    ${name}: expected ${expected}, was ${actual}`)
    }
  } else {
    lines.push(`  verified: ${outcome.checks} checks`)
    if (smoke) lines.push('  a smoke run: no figures')
    else lines.push(...table(outcome.results))
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

function table(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const text = (value) =>
    typeof value === 'number' ? value.toLocaleString('en-US') : String(value ?? '')
  const width = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => text(row[column]).length)),
  )
  const line = (cells, isNumber) =>
    `  ${cells.map((cell, i) => (isNumber(i) ? cell.padStart(width[i]) : cell.padEnd(width[i]))).join('  ')}`.trimEnd()
  const isNumber = (i) => rows.some((row) => typeof row[columns[i]] === 'number')
  return [columns, ...rows.map((row) => columns.map((column) => text(row[column])))].map((cells) =>
    line(cells, isNumber),
  )
}
