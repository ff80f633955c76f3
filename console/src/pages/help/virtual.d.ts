declare module 'virtual:documents' {
  const documents: readonly import('../../../documents.ts').DocumentEntry[]
  export default documents
}

declare module 'virtual:document-texts' {
  const texts: Readonly<Record<string, string>>
  export default texts
}
