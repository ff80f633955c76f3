import { languages } from '../stages/detect/index.ts'
import type { Language, YamlCode } from '../stages/detect/language.ts'
import type { YamlFile } from './yaml-file.ts'

const registered: readonly Language[] = languages

/** Languages whose rules are code files. */
export const fileLanguages = registered.flatMap(({ type, extension }) => (extension === undefined ? [] : [{ type, extension }]))

/** Languages whose rules are written in the rule's YAML. */
export const yamlLanguages: readonly (YamlCode & Pick<Language, 'type'>)[] = registered.flatMap(({ type, yaml }) =>
  yaml ? [{ type, ...yaml }] : [],
)

/** The keys of a rule's YAML that are code of some language. */
export const CODE_KEYS: readonly string[] = [...new Set(yamlLanguages.flatMap(({ keys }) => keys))]

/** Those keys that assign a rule to their language. */
export const FIRST_KEYS: readonly string[] = yamlLanguages.map(({ keys: [first] }) => first)

/** `undefined` if there is no such language, or its rules are code files. */
export function yamlLanguageOf(type: string): YamlCode | undefined {
  return yamlLanguages.find((language) => language.type === type)
}

/** Those of the keys that a file has, each with its exact JSON. */
export function codeTexts(yaml: YamlFile, keys: readonly string[]): Map<string, string> {
  const present = keys.filter((key) => Object.hasOwn(yaml.value as object, key))
  return new Map(present.map((key) => [key, yaml.json([key])]))
}

/** The code of a rule written in YAML, in its language's format. */
export function codeOf(texts: ReadonlyMap<string, string>): string {
  return `{${[...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
}
