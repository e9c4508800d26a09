-- The rows that every environment needs before the first sign-in. Ids are fixed, because code and other rows name them.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

INSERT INTO roles (id, name, description, is_system)
VALUES
    ('role_member', 'member', 'Everyone who has an account', TRUE),
    ('role_support', 'support', 'Answers tickets, may read accounts', TRUE),
    ('role_admin', 'admin', 'Runs the platform', TRUE);

INSERT INTO permissions (id, resource, action)
VALUES
    ('perm_profile_read', 'profile', 'read'),
    ('perm_profile_write', 'profile', 'write'),
    ('perm_users_read', 'users', 'read'),
    ('perm_users_suspend', 'users', 'suspend'),
    ('perm_roles_assign', 'roles', 'assign'),
    ('perm_sessions_revoke', 'sessions', 'revoke');

INSERT INTO role_permissions (role_id, permission_id)
VALUES
    ('role_member', 'perm_profile_read'),
    ('role_member', 'perm_profile_write'),
    ('role_support', 'perm_profile_read'),
    ('role_support', 'perm_users_read'),
    ('role_support', 'perm_sessions_revoke'),
    ('role_admin', 'perm_profile_read'),
    ('role_admin', 'perm_profile_write'),
    ('role_admin', 'perm_users_read'),
    ('role_admin', 'perm_users_suspend'),
    ('role_admin', 'perm_roles_assign'),
    ('role_admin', 'perm_sessions_revoke');

-- +goose Down
-- role_permissions follow by their cascade. A role that users hold stops this on purpose.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DELETE FROM permissions
WHERE id IN (
    'perm_profile_read',
    'perm_profile_write',
    'perm_users_read',
    'perm_users_suspend',
    'perm_roles_assign',
    'perm_sessions_revoke'
);
DELETE FROM roles
WHERE id IN ('role_member', 'role_support', 'role_admin');
