export function clientTypes(description: { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> }): string
