import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, Table } from '@mantine/core'

const teal: MantineColorsTuple = [
  '#e8f8f6',
  '#d0efec',
  '#a0dfd8',
  '#6ccdc4',
  '#41bdb2',
  '#22a89d',
  '#119187',
  '#0b746c',
  '#095d57',
  '#06433f',
]

export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: 7,
  autoContrast: true,
  colors: { teal },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '650' },
  defaultRadius: 'sm',
  respectReducedMotion: true,
  cursorType: 'pointer',
  // Links in a table have this size.
  components: { Table: Table.extend({ defaultProps: { fz: 'md' } }) },
})

/** Mantine's own greys for less important text have too little contrast. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#59636e', '--mantine-color-placeholder': '#6a737d' },
  dark: { '--mantine-color-dimmed': '#a9b3bd', '--mantine-color-placeholder': '#99a3ad' },
})
