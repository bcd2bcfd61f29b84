-- Write skew on items: each reads both rows and writes one of them
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: select * from test where id in (1, 2);
T2: select * from test where id in (1, 2);
T1: update test set value = 11 where id = 1;
T2: update test set value = 21 where id = 2;
T1: commit;
T2: commit;
