-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd

CREATE TYPE resume_visibility AS ENUM ('private', 'link', 'public');

-- user_id is auth-service's users.id, in another database, where no foreign key reaches.
-- That a user was deleted arrives as an event.
CREATE TABLE profiles (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    user_id TEXT NOT NULL,
    full_name TEXT,
    headline TEXT,
    locale TEXT,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT uk_profiles_user_id UNIQUE (user_id)
);

CREATE TABLE resumes (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    profile_id TEXT NOT NULL,
    title TEXT NOT NULL,
    visibility resume_visibility NOT NULL DEFAULT 'private',
    sections JSONB NOT NULL DEFAULT '[]',
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT fk_resumes_profile_id FOREIGN KEY (profile_id) REFERENCES profiles (id) ON DELETE CASCADE
);

CREATE INDEX idx_resumes_profile_id ON resumes (profile_id);

-- Only the hash is kept: whoever reads this table cannot open anybody's resume with it.
CREATE TABLE share_links (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    resume_id TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    expires_at TIMESTAMPTZ(6),
    revoked_at TIMESTAMPTZ(6),
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT uk_share_links_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_share_links_resume_id FOREIGN KEY (resume_id) REFERENCES resumes (id) ON DELETE CASCADE
);

CREATE INDEX idx_share_links_resume_id ON share_links (resume_id);

-- Most links are revoked or never expire, and the nightly clean-up asks for neither.
CREATE INDEX idx_share_links_expires_at ON share_links (expires_at)
WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

CREATE TRIGGER trg_profiles_updated_at
BEFORE UPDATE ON profiles
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER trg_resumes_updated_at
BEFORE UPDATE ON resumes
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER trg_share_links_updated_at
BEFORE UPDATE ON share_links
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE share_links;
DROP TABLE resumes;
DROP TABLE profiles;
DROP TYPE resume_visibility;
DROP FUNCTION update_updated_at_column();
