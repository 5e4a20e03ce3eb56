import type { ResolvedBlueprint } from './blueprint.ts'
import type { RecipeSignature } from './recipe.ts'

/** Everything that decides what a deployment shall be. Immutable once numbered. */
export interface ReleaseSpec {
  blueprint: ResolvedBlueprint
  /** The blueprint as the user wrote it. */
  text: string
  /** Source folder as written -> digest of its archive (a blob). */
  sources: Record<string, string>
  /** Recipe name -> its signature; its folder's archive is the blob of `archive`. */
  recipes: Record<string, RecipeSignature & { archive: string }>
  /** Secret name (`MAIL_KEY`; generated ones `db.password`) -> version. */
  secretVersions: Record<string, number>
}

export interface ReleaseRecord {
  id: string
  deploymentId: string
  number: number
  spec: ReleaseSpec
  /** sha256 of the canonical spec, so that an unchanged deploy makes no new release. */
  digest: string
  createdAt: Date
}
