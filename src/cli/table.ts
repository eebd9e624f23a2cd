export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

const GAP = '  '

/** Lines without trailing spaces; the last has no line break. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)),
  )
  const formatRow = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? ''
        const width = widths[index] ?? 0
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(GAP)
      .trimEnd()
  return [columns.map(({ title }) => title), ...rows].map(formatRow).join('\n')
}
