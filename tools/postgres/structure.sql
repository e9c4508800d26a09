-- Kind, name and definition of every object that migrations may make; both parameters are goose's version tables.
WITH ours AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = pg_namespace.oid
                    AND d.deptype = 'e')
), members AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
  SELECT c.oid, c.relkind, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relpersistence, c.relacl,
         c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relpartbound, c.relreplident
  FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
  WHERE c.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_class'::regclass)
    AND NOT (n.nspname || '.' || c.relname) = ANY (%s)
), tables AS (
  SELECT * FROM relations WHERE relkind IN ('r', 'p', 'f')
)
SELECT 'schema', quote_ident(nspname), '' FROM ours
UNION ALL
SELECT 'extension', quote_ident(extname), 'in ' || quote_ident(n.nspname)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname <> 'plpgsql'
UNION ALL
SELECT 'table', t.name, concat_ws(E'\n',
  CASE t.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
  CASE WHEN t.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(t.oid) END,
  CASE WHEN t.relispartition THEN 'partition ' || pg_get_expr(t.relpartbound, t.oid) END,
  (SELECT 'inherits ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
   FROM pg_inherits i WHERE i.inhrelid = t.oid),
  CASE WHEN t.relrowsecurity THEN 'row level security' END,
  CASE WHEN t.relforcerowsecurity THEN 'force row level security' END,
  CASE WHEN t.relreplident <> 'd' THEN 'replica identity ' || t.relreplident::text END)
FROM tables t
UNION ALL
SELECT 'column', t.name || '.' || quote_ident(a.attname), concat_ws(' ',
  format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attcollation <> y.typcollation THEN 'COLLATE ' || a.attcollation::regcollation::text END,
  CASE WHEN a.attnotnull THEN 'NOT NULL' END,
  CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END,
  CASE WHEN a.attgenerated <> '' THEN 'GENERATED ' || pg_get_expr(d.adbin, d.adrelid)
       WHEN d.adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END)
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid JOIN pg_type y ON y.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', t.name || '.' || quote_ident(o.conname),
       pg_get_constraintdef(o.oid)
FROM pg_constraint o JOIN tables t ON t.oid = o.conrelid WHERE o.contype <> 't'
UNION ALL
SELECT 'index', t.name || '.' || quote_ident(i.relname),
       pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid OR i.relkind = 'I' THEN '' ELSE ' INVALID' END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  JOIN relations t ON t.oid = x.indrelid AND t.relkind IN ('r', 'p', 'm')
WHERE NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = x.indexrelid AND o.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', t.name || '.' || quote_ident(g.tgname),
       pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || g.tgenabled::text END
FROM pg_trigger g JOIN relations t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'rule', t.name || '.' || quote_ident(r.rulename), pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN relations t ON t.oid = r.ev_class WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', t.name || '.' || quote_ident(p.polname), concat_ws(' ', p.polcmd::text, p.polpermissive::text,
  (SELECT string_agg(CASE WHEN role = 0 THEN 'public' ELSE pg_get_userbyid(role) END, ',' ORDER BY role)
   FROM unnest(p.polroles) AS role),
  'USING ' || pg_get_expr(p.polqual, p.polrelid), 'CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN tables t ON t.oid = p.polrelid
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, name, pg_get_viewdef(oid)
FROM relations WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', r.name, concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment',
  s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END)
FROM pg_sequence s JOIN relations r ON r.oid = s.seqrelid
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
                  AND d.deptype = 'i')
  AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_class v ON v.oid = d.refobjid
                  JOIN pg_namespace n ON n.oid = v.relnamespace
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype = 'a'
                  AND (n.nspname || '.' || v.relname) = ANY (%s))
UNION ALL
SELECT CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       quote_ident(n.nspname) || '.' || quote_ident(f.proname) || '(' || pg_get_function_identity_arguments(f.oid) || ')',
       CASE WHEN f.prokind = 'a' THEN (SELECT concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggtranstype::regtype,
                                              a.agginitval) FROM pg_aggregate a WHERE a.aggfnoid = f.oid)
            ELSE pg_get_functiondef(f.oid) END
FROM pg_proc f JOIN ours n ON n.oid = f.pronamespace
WHERE f.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_proc'::regclass)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'i')
UNION ALL
SELECT CASE y.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type' ELSE 'range type' END,
       quote_ident(n.nspname) || '.' || quote_ident(y.typname),
       CASE y.typtype
         WHEN 'e' THEN (SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder)
                        FROM pg_enum l WHERE l.enumtypid = y.oid)
         WHEN 'd' THEN concat_ws(' ', format_type(y.typbasetype, y.typtypmod), CASE WHEN y.typnotnull THEN 'NOT NULL' END,
                        'DEFAULT ' || y.typdefault,
                        (SELECT string_agg(pg_get_constraintdef(o.oid), ' ' ORDER BY o.conname)
                         FROM pg_constraint o WHERE o.contypid = y.oid))
         WHEN 'c' THEN (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                                          ORDER BY a.attnum)
                        FROM pg_attribute a WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
         ELSE (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = y.oid) END
FROM pg_type y JOIN ours n ON n.oid = y.typnamespace
WHERE (y.typtype IN ('e', 'd', 'r') OR y.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = y.typrelid
                                                                   AND c.relkind = 'c'))
  AND y.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_type'::regclass)
UNION ALL
SELECT 'statistics', quote_ident(n.nspname) || '.' || quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'grant', g.name || ' to ' || g.grantee, string_agg(g.privilege, ', ' ORDER BY g.privilege)
FROM (
  SELECT r.name, CASE WHEN x.grantee = 0 THEN 'public' ELSE pg_get_userbyid(x.grantee) END AS grantee,
         x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END AS privilege
  FROM relations r CROSS JOIN LATERAL aclexplode(r.relacl) x WHERE x.grantee <> r.relowner
  UNION ALL
  SELECT r.name || '.' || quote_ident(a.attname),
         CASE WHEN x.grantee = 0 THEN 'public' ELSE pg_get_userbyid(x.grantee) END, x.privilege_type
  FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped
    CROSS JOIN LATERAL aclexplode(a.attacl) x WHERE x.grantee <> r.relowner
) g GROUP BY 1, 2
UNION ALL
SELECT 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
FROM pg_description d
WHERE (d.classoid = 'pg_class'::regclass AND d.objoid IN (SELECT oid FROM relations)
    OR d.classoid = 'pg_constraint'::regclass AND d.objoid IN (SELECT o.oid FROM pg_constraint o JOIN tables t
                                                              ON t.oid = o.conrelid)
    OR d.classoid = 'pg_trigger'::regclass AND d.objoid IN (SELECT g.oid FROM pg_trigger g JOIN tables t
                                                           ON t.oid = g.tgrelid)
    OR d.classoid = 'pg_proc'::regclass AND d.objoid IN (SELECT f.oid FROM pg_proc f JOIN ours n ON n.oid = f.pronamespace)
    OR d.classoid = 'pg_type'::regclass AND d.objoid IN (SELECT y.oid FROM pg_type y JOIN ours n ON n.oid = y.typnamespace))
  AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM members)
