/** What a machine has to be told at its first boot. */
export interface FirstBoot {
  /** Host name. */
  name: string
  /** Host key pair made by Kitbag for this machine, OpenSSH formats. */
  hostKey: { privateKey: string; publicKey: string }
  /** Public keys that may log in as the image's login user. */
  authorizedKeys: string[]
}

/**
 * User data for cloud-init, the same on every cloud: host name, the one host key, who may log in. Nothing else in it is a secret, and
 * once the machine is up nobody on it but root can ask the cloud for it again. JSON is YAML, so no value can break out of its place.
 */
export function cloudConfig({ name, hostKey, authorizedKeys }: FirstBoot): string {
  const config = {
    hostname: name,
    preserve_hostname: false,
    manage_etc_hosts: true,
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    ssh_quiet_keygen: true,
    ssh_publish_hostkeys: { enabled: false },
    no_ssh_fingerprints: true,
    ssh_authorized_keys: authorizedKeys,
    disable_root: true,
    ssh_pwauth: false,
    disable_ec2_metadata: true,
  }
  return `#cloud-config\n${JSON.stringify(config)}\n`
}
