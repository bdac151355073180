import type {
  EmailAddressJSON,
  OrganizationJSON,
  OrganizationMembershipJSON,
  UserJSON,
  VerificationJSON,
} from "@clerk/backend";
import type { MembershipRecord, OrganizationRecord, UserRecord } from "./records.ts";

/** What a role may do, as in an instance that nobody has configured. */
export const rolePermissions: Readonly<Record<string, readonly string[]>> = {
  "org:admin": [
    "org:sys_profile:manage",
    "org:sys_profile:delete",
    "org:sys_memberships:read",
    "org:sys_memberships:manage",
    "org:sys_domains:read",
    "org:sys_domains:manage",
  ],
  "org:member": ["org:sys_memberships:read"],
};

// The SDK gives `object` the type of an enum that it does not export as a value: every reply is held against the types but for it.
type Plain<Resource> = Omit<Resource, "object"> & { readonly object: string };

/** The User object of the Backend API, every field of it. */
export function userJson(user: UserRecord): UserJSON {
  const emails = user.emails.map((email) => emailJson(user.id, email));
  const json = {
    id: user.id,
    object: "user",
    username: user.username,
    first_name: user.firstName,
    last_name: user.lastName,
    image_url: `https://img.clerk.com/${user.id}`,
    has_image: false,
    primary_email_address_id: emails[0]?.id ?? null,
    primary_phone_number_id: null,
    primary_web3_wallet_id: null,
    password_enabled: false,
    two_factor_enabled: false,
    totp_enabled: false,
    backup_code_enabled: false,
    email_addresses: emails,
    phone_numbers: [],
    web3_wallets: [],
    organization_memberships: null,
    external_accounts: [],
    enterprise_accounts: [],
    password_last_updated_at: null,
    public_metadata: { ...user.publicMetadata },
    private_metadata: { ...user.privateMetadata },
    unsafe_metadata: { ...user.unsafeMetadata },
    external_id: user.externalId,
    last_sign_in_at: user.lastActiveAt,
    banned: user.banned,
    locked: user.locked,
    lockout_expires_in_seconds: null,
    verification_attempts_remaining: 100,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    last_active_at: user.lastActiveAt,
    create_organization_enabled: true,
    create_organizations_limit: null,
    delete_self_enabled: true,
    legal_accepted_at: null,
    locale: null,
  } satisfies Plain<UserJSON>;
  return json as unknown as UserJSON;
}

function emailJson(userId: string, email: string): EmailAddressJSON {
  const verification = {
    id: "",
    object: "verification_admin",
    status: "verified",
    strategy: "admin",
    attempts: null,
    expire_at: null,
  } satisfies Omit<Plain<VerificationJSON>, "status"> & { status: string };
  const json = {
    id: `idn_${userId.slice(5)}${Buffer.from(email).toString("base64url").slice(0, 8)}`,
    object: "email_address",
    email_address: email,
    verification: verification as unknown as VerificationJSON,
    linked_to: [],
  } satisfies Plain<EmailAddressJSON>;
  return json as unknown as EmailAddressJSON;
}

/** The Organization object; `membersCount` only where the question asked for it. */
export function organizationJson(organization: OrganizationRecord, membersCount?: number): OrganizationJSON {
  const json = {
    id: organization.id,
    object: "organization",
    name: organization.name,
    slug: organization.slug,
    image_url: `https://img.clerk.com/${organization.id}`,
    has_image: false,
    ...(membersCount === undefined ? {} : { members_count: membersCount }),
    max_allowed_memberships: organization.maxAllowedMemberships,
    admin_delete_enabled: true,
    public_metadata: { ...organization.publicMetadata },
    private_metadata: { ...organization.privateMetadata },
    ...(organization.createdBy === null ? {} : { created_by: organization.createdBy }),
    created_at: organization.createdAt,
    updated_at: organization.updatedAt,
  } satisfies Plain<OrganizationJSON>;
  return json as unknown as OrganizationJSON;
}

/** The OrganizationMembership object, with the organization and the public part of the user inside. */
export function membershipJson(
  membership: MembershipRecord,
  { organization, user }: { readonly organization: OrganizationRecord; readonly user: UserRecord },
): OrganizationMembershipJSON {
  const json = {
    id: membership.id,
    object: "organization_membership",
    public_metadata: { ...membership.publicMetadata },
    private_metadata: { ...membership.privateMetadata },
    role: membership.role,
    permissions: [...(rolePermissions[membership.role] ?? [])],
    created_at: membership.createdAt,
    updated_at: membership.updatedAt,
    organization: organizationJson(organization),
    public_user_data: {
      identifier: user.emails[0] ?? user.username ?? user.id,
      first_name: user.firstName,
      last_name: user.lastName,
      image_url: `https://img.clerk.com/${user.id}`,
      has_image: false,
      user_id: user.id,
    },
  } satisfies Plain<OrganizationMembershipJSON>;
  return json as unknown as OrganizationMembershipJSON;
}
