/** The text of docs/configuration.md, from the JSON Schema of the configuration as people write it. */
export function configurationPage(schema: object): string
