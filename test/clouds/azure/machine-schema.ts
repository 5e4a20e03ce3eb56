import { z } from 'zod'

/** As much of the SDK's VirtualMachine as a driver of machines has use for; anything else is refused, so that it is looked at first. */
export const machineSchema = z.strictObject({
  hardwareProfile: z.strictObject({ vmSize: z.string() }),
  priority: z.enum(['Regular', 'Spot']).optional(),
  evictionPolicy: z.enum(['Deallocate', 'Delete']).optional(),
  billingProfile: z.strictObject({ maxPrice: z.number() }).optional(),
  storageProfile: z.strictObject({
    imageReference: z.union([
      z.strictObject({ id: z.string() }),
      z.strictObject({ publisher: z.string(), offer: z.string(), sku: z.string(), version: z.string() }),
    ]),
    osDisk: z.strictObject({
      name: z.string(),
      createOption: z.literal('FromImage'),
      deleteOption: z.enum(['Delete', 'Detach']).optional(),
      diskSizeGB: z.int().min(1).max(4095).optional(),
      managedDisk: z.strictObject({ storageAccountType: z.enum(['Standard_LRS', 'StandardSSD_LRS', 'Premium_LRS']) }),
    }),
  }),
  osProfile: z.strictObject({
    computerName: z.string().min(1).max(64),
    adminUsername: z
      .string()
      .regex(/^(?!(admin|administrator|root|user|test|guest|console|support|backup)$)[a-z_][a-z0-9_-]{0,31}$/),
    customData: z.base64().max(87_380),
    linuxConfiguration: z.strictObject({
      disablePasswordAuthentication: z.boolean(),
      provisionVMAgent: z.boolean().optional(),
      ssh: z.strictObject({ publicKeys: z.array(z.strictObject({ path: z.string(), keyData: z.string().min(1) })) }),
    }),
  }),
  networkProfile: z.strictObject({
    networkInterfaces: z
      .array(
        z.strictObject({
          id: z.string(),
          properties: z.strictObject({
            primary: z.boolean().optional(),
            deleteOption: z.enum(['Delete', 'Detach']).optional(),
          }),
        }),
      )
      .min(1),
  }),
  diagnosticsProfile: z.strictObject({ bootDiagnostics: z.strictObject({ enabled: z.boolean() }) }).optional(),
})
