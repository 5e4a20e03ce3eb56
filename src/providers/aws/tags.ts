import type { Filter, Tag, TagSpecification } from '@aws-sdk/client-ec2'
import type { MachineTags } from '../contract.ts'

/** By these, and these alone, something at AWS is known to be Kitbag's. */
export const tagNames = {
  installation: 'kitbag:installation',
  deployment: 'kitbag:deployment',
  machine: 'kitbag:machine',
  component: 'kitbag:component',
  name: 'kitbag:name',
  user: 'kitbag:user',
  subnet: 'kitbag:subnet',
  address: 'kitbag:address',
  /** `true`: somebody else made it. */
  imported: 'kitbag:imported',
} as const

export type Owner = Pick<MachineTags, 'installation' | 'deployment'>
type TagWords = Partial<Record<keyof typeof tagNames, string>>

function tagList(words: TagWords, name: string): Tag[] {
  const own = Object.entries(words).map(([word, Value]) => ({ Key: tagNames[word as keyof TagWords], Value }))
  return [{ Key: 'Name', Value: name }, ...own]
}

export function tagged(
  type: NonNullable<TagSpecification['ResourceType']>,
  words: TagWords,
  name: string,
): TagSpecification {
  return { ResourceType: type, Tags: tagList(words, name) }
}

/** What only things with all of these tags pass. */
export function tagFilters(words: TagWords): Filter[] {
  return Object.entries(words).flatMap(([word, value]) =>
    value === undefined ? [] : [{ Name: `tag:${tagNames[word as keyof TagWords]}`, Values: [value] }],
  )
}

export function readTag(tags: Tag[] | undefined, word: keyof TagWords): string {
  return tags?.find(({ Key }) => Key === tagNames[word])?.Value ?? ''
}
