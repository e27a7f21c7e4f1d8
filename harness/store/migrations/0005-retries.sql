-- 1: the lab broke the attempt and another was to follow. When it never did, the case has not ended.
ALTER TABLE attempt ADD COLUMN retried INTEGER;

-- How often the lab failed each board, per run. Attempts that were never tried do not count.
CREATE VIEW v_flakes AS
SELECT r.uuid AS run, c.board, c.realm, count(*) AS attempts,
       count(f.code) AS lab_faults, count(f.code) * 1.0 / count(*) AS flake_rate,
       sum(coalesce(a.retried, 0)) AS retried,
       (SELECT count(*) FROM recovery v WHERE v.run = r.id AND v.board = c.board
           AND v.rung <> 'quarantine') AS rungs,
       (SELECT count(*) FROM recovery v WHERE v.run = r.id AND v.board = c.board AND v.worked)
           AS rungs_helped,
       (SELECT count(*) FROM recovery v WHERE v.run = r.id AND v.board = c.board
           AND v.rung = 'quarantine') AS quarantines
  FROM attempt a JOIN run r ON r.id = a.run JOIN case_def c ON c.id = a.case_def
  LEFT JOIN (SELECT id, code FROM attempt WHERE status = 'error' AND failure_class IN
                ('lab', 'timeout', 'protocol', 'flash', 'meter')) f ON f.id = a.id
 WHERE a.status IS NOT NULL AND a.status NOT IN ('skipped', 'cancelled')
   AND coalesce(a.stage, '') <> 'admission'
 GROUP BY r.id, c.board;
