-- Read skew, found by a write that has to wait for one who rolls back
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: select * from test where id = 1;
T2: select * from test;
T2: update test set value = 12 where id = 1;
T2: update test set value = 18 where id = 2;
T1: delete from test where value = 20;
T2: rollback;
T1: commit;
