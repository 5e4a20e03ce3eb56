import type { CertificateStore } from '../../../src/model/certificate.ts'
import type { ReadContext } from '../../../src/toolkit/contract.ts'

/** For services that keep no rows of their own. */
export const noRows: Pick<ReadContext<unknown>, 'deployment' | 'certificates'> = {
  deployment: { id: 'dep_1', tenantId: 'ten_1', name: 'shop' },
  certificates: {} as CertificateStore,
}
